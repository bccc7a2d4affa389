import type { RunStep } from '@/api/schema';
import { Card, Glyph } from '@/components/ui/bits';
import { classes } from '@/lib/class-names';
import { duration } from '@/lib/format';
import { stepStatus } from '@/lib/status';

import styles from './runs.module.css';
import { type Timeline, tickWords, timelineOf } from './timeline';

const LANES: Record<string, string> = { ok: 'var(--model)', bad: 'var(--bad)', warn: 'var(--warn)', run: 'var(--run)', idle: 'var(--line3)' };

function lane(step: RunStep, tone: string): string {
  const isTest = step.resource_type === 'test' || step.resource_type === 'unit_test';
  return isTest && tone === 'ok' ? 'var(--ok)' : (LANES[tone] ?? 'var(--line3)');
}

function Lane({ step, timeline, tone }: { step: RunStep; timeline: Timeline; tone: string }) {
  const span = timeline.spans.get(step.unique_id);
  if (!span) return <span className={styles.lane} />;
  const percent = (ms: number) => `${(ms / timeline.length) * 100}%`;
  const style = { left: percent(span.from), width: percent(span.to - span.from), ['--lane' as string]: lane(step, tone) };
  return (
    <span className={styles.lane} aria-hidden="true">
      <i style={style} data-running={step.state === 'running' || undefined} />
    </span>
  );
}

function Row({ step, timeline, selected, onSelect }: { step: RunStep; timeline: Timeline; selected: boolean; onSelect: () => void }) {
  const status = stepStatus(step);
  const time = step.duration_ms == null ? status.word : duration(step.duration_ms);
  return (
    <li>
      <button
        type="button"
        className={styles.step}
        aria-pressed={selected}
        data-failed={step.state === 'failed' || undefined}
        data-step={step.unique_id}
        data-state={step.state}
        onClick={onSelect}
      >
        <span className={styles.name}>
          <Glyph tone={status.tone} glyph={status.glyph} label={status.word} />
          <span className="clip" title={step.name}>
            {step.name}
          </span>
        </span>
        <span className="muted">{time}</span>
        <Lane step={step} timeline={timeline} tone={status.tone} />
      </button>
    </li>
  );
}

type Props = { steps: readonly RunStep[]; now: number; selected: string | undefined; onSelect: (step: string) => void };

/** Shows the steps of a run in the order of its plan, each as a bar on one time axis. */
export function StepList({ steps, now, selected, onSelect }: Props) {
  const timeline = timelineOf(steps, now);
  return (
    <Card className={styles.steps}>
      <div className={classes(styles.step, styles.head)} aria-hidden="true">
        <span>Step</span>
        <span>Time</span>
        <span className={styles.axis}>
          {timeline.ticks.map((tick) => (
            <span key={tick}>{tickWords(tick)}</span>
          ))}
        </span>
      </div>
      <ul aria-label="Steps">
        {steps.map((step) => (
          <Row key={step.unique_id} step={step} timeline={timeline} selected={step.unique_id === selected} onSelect={() => onSelect(step.unique_id)} />
        ))}
      </ul>
    </Card>
  );
}
