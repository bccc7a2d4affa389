import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

import type { ImportReport as Report } from '@/api/schema';
import { Chip, Glyph } from '@/components/ui/bits';
import { buttonClass } from '@/components/ui/button';
import { Dialog, DialogFoot } from '@/components/ui/overlay';
import { plural } from '@/lib/format';

import styles from './projects.module.css';

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={styles.section}>
      <h3>{title}</h3>
      <ul className={styles.list}>{children}</ul>
    </section>
  );
}

function Counts({ report }: { report: Report }) {
  const counts = Object.entries(report.node_counts).sort(([, a], [, b]) => b - a);
  return (
    <div className={styles.counts}>
      {counts.map(([kind, count]) => (
        <Chip key={kind}>
          <b>{count}</b> {(count === 1 ? kind : `${kind.replace(/analysis$/, 'analyse')}s`).replace('_', ' ')}
        </Chip>
      ))}
    </div>
  );
}

/** Says what an import took, what it left out and why, which packages are missing, and what is wrong in the files. */
export function ImportReport({ report, programs, onClose }: { report: Report; programs: string[]; onClose: () => void }) {
  const { left_out, packages_missing, diagnostics, diagnostic_count } = report;
  const isClean = left_out.length + packages_missing.length + diagnostic_count === 0;
  return (
    <Dialog open onOpenChange={onClose} title={`${report.name} is imported`} wide>
      <p>
        {plural(report.taken, 'file')} taken, byte for byte.
        {isClean && ' Nothing was left out, no package is missing, no problem was found.'}
      </p>
      <Counts report={report} />
      {packages_missing.length > 0 && (
        <Section title={`${plural(packages_missing.length, 'package')} missing`}>
          {packages_missing.map((found) => (
            <li key={found.name}>
              <span className="mono">{found.name}</span>
              <span className="muted">{found.how}</span>
            </li>
          ))}
          <li>
            <span>Into this project, in its folder on the command line:</span>
            <span className="mono">dvt import . --into {report.name}</span>
          </li>
        </Section>
      )}
      {diagnostic_count > 0 && (
        <Section title={plural(diagnostic_count, 'problem')}>
          {diagnostics.map((found, at) => (
            <li key={at}>
              <span>
                <Glyph tone={found.severity === 'error' ? 'bad' : 'warn'} glyph={found.severity === 'error' ? '✗' : '!'} label={found.severity} />{' '}
                {found.message}
              </span>
              <span className="mono muted">{found.place ? `${found.place.path}:${found.place.line}` : found.code}</span>
            </li>
          ))}
        </Section>
      )}
      {programs.length > 0 && (
        <Section title={`${plural(programs.length, 'file')} taken as not executable`}>
          {programs.map((path) => (
            <li key={path}>
              <span className="mono clip" title={path}>
                {path}
              </span>
              <span className="muted">a browser does not tell who may execute it; an archive or `dvt import` does</span>
            </li>
          ))}
        </Section>
      )}
      {left_out.length > 0 && (
        <Section title={`${plural(left_out.length, 'file')} left out`}>
          {left_out.map((found) => (
            <li key={found.path}>
              <span className="mono clip" title={found.path}>
                {found.path}
              </span>
              <span className="muted">{found.reason}</span>
            </li>
          ))}
        </Section>
      )}
      <DialogFoot>
        <Link to="/projects/$project" params={{ project: report.project_id }} className={buttonClass('primary')}>
          Open the graph
        </Link>
      </DialogFoot>
    </Dialog>
  );
}
