import { useEffect } from 'react';

import { OF_A_TEST, Preview } from './preview-tab';
import { useFailures } from './use-rows';

const AS_THEY_ARE = { ...OF_A_TEST, title: 'Failing rows, as they are now' };

/** Shows the rows that a test of a run finds now, by the query that the run sent. */
export function FailingRows({ project, run, test }: { project: string; run: string; test: string }) {
  const asking = useFailures(project, run, test);
  const { state } = asking.rows;
  useEffect(() => {
    if (state === 'none') asking.ask(null);
    // Only once: the button asks again.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);
  return (
    <div style={{ height: 360 }}>
      <Preview asking={asking} words={AS_THEY_ARE} onAsk={() => asking.ask(null)} />
    </div>
  );
}
