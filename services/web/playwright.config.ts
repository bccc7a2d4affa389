import { defineConfig } from '@playwright/test';

/** One look at what runs already: scripts/e2e starts a `dvt up`, scripts/stack all services, and each names it in DVT_URL. */
export default defineConfig({
  testDir: 'e2e',
  workers: 2,
  timeout: 180_000,
  expect: { timeout: 20_000 },
  reporter: 'list',
  outputDir: '../../target/e2e',
  use: {
    baseURL: process.env.DVT_URL,
    viewport: { width: 1440, height: 900 },
    actionTimeout: 60_000,
    launchOptions: { executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] },
    trace: 'retain-on-failure',
  },
  projects: [
    // Each test has a project of its own.
    { name: 'e2e', testMatch: '*.spec.ts', fullyParallel: true },
    // These look at the whole of an instance, or at its speed.
    { name: 'screenshots', testMatch: '*.shots.ts', workers: 1 },
    { name: 'bench', testMatch: '*.bench.ts', workers: 1 },
  ],
});
