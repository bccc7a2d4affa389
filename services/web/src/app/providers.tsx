import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { Tooltip } from 'radix-ui';

import { asProblem } from '@/api/client';

import { router } from './router';

const STALE_MS = 30_000;
const RETRIES = 3;
/** No answer came, or the server is behind the version that was asked for: the same question is asked again. */
const ASKED_AGAIN = new Set([0, 409, 502, 503, 504]);

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: STALE_MS,
      // The server may be on this machine: whether there is a network says nothing about it.
      networkMode: 'always',
      // A refusal stays one.
      retry: (count, error) => count < RETRIES && ASKED_AGAIN.has(asProblem(error).status),
      retryDelay: 400,
    },
    mutations: { networkMode: 'always' },
  },
});

/** Gives the pages what all of them use. */
export function Providers() {
  return (
    <QueryClientProvider client={client}>
      <Tooltip.Provider delayDuration={350}>
        <RouterProvider router={router} />
      </Tooltip.Provider>
    </QueryClientProvider>
  );
}
