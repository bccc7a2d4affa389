import { useState } from 'react';

import { asProblem } from '@/api/client';
import { useTree } from '@/api/queries';
import { Blank, SkeletonLines } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { PlusIcon } from '@/components/ui/icons';
import { ProblemBlank } from '@/components/ui/problem';

import { FileEditor } from './file-editor';
import { FileTree } from './file-tree';
import styles from './files.module.css';
import { NewFile } from './new-file';

/** Is what a dialog asks about: a new file, or the one that is open. */
export type Asked = 'new' | 'move' | 'remove' | null;

type Props = {
  project: string;
  environment: string;
  path: string | undefined;
  line: number | undefined;
  onOpen: (path: string | undefined) => void;
  asked: Asked;
  onAsk: (asked: Asked) => void;
};

/** Shows the files of a project beside the one that is open. */
export function Files({ project, environment, path, line, onOpen, asked, onAsk }: Props) {
  const { data, error, refetch } = useTree(project);
  const [filter, setFilter] = useState('');
  return (
    <div className={styles.page}>
      <section className={styles.side} aria-label="Files of the project">
        <div className={styles.sideHead}>
          <input type="search" placeholder="Filter" aria-label="Filter files" value={filter} onChange={(event) => setFilter(event.target.value)} />
          <Button look="icon" aria-label="New file" onClick={() => onAsk('new')}>
            <PlusIcon size={14} />
          </Button>
        </div>
        {data ? (
          <FileTree project={project} files={data.files} selected={path} filter={filter} onSelect={onOpen} />
        ) : error ? (
          <ProblemBlank problem={asProblem(error)} onRetry={() => void refetch()} />
        ) : (
          <SkeletonLines lines={10} label="Loading the files" />
        )}
      </section>
      <section className={styles.main} aria-label="File">
        {path === undefined ? (
          <>
            <h1 className="only-heard">Files</h1>
            <Blank title="Every file of the project, as Git has it">Choose one to read or edit it.</Blank>
          </>
        ) : (
          <FileEditor project={project} environment={environment} path={path} line={line} onMoved={onOpen} asked={asked} onAsk={onAsk} />
        )}
      </section>
      {asked === 'new' && data && <NewFile project={project} baseVersion={data.version} onAdded={onOpen} onClose={() => onAsk(null)} />}
    </div>
  );
}
