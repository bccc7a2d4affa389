import { useEffect } from 'react';

import { Preview } from './preview-tab';
import { useRows } from './use-rows';

/** Shows the rows that a test finds now. */
export function FailingRows({ project, environment, test }: { project: string; environment: string; test: string }) {
  const asking = useRows(project, environment, test);
  const { state } = asking.rows;
  useEffect(() => {
    if (state === 'none') asking.ask(null);
    // Only once: the button asks again.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);
  return (
    <div style={{ height: 360 }}>
      <Preview asking={asking} title="Failing rows, as they are now" onAsk={() => asking.ask(null)} />
    </div>
  );
}
