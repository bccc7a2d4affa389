import { useState } from 'react';

import { asProblem } from '@/api/client';
import { useProjects } from '@/api/queries';
import { Card, Page } from '@/components/ui/bits';
import { Button } from '@/components/ui/button';
import { ProblemBlank } from '@/components/ui/problem';

import { ImportZone } from './import-zone';
import { NewProject } from './new-project';
import { ProjectList, ProjectListSkeleton } from './project-list';
import styles from './projects.module.css';

/** Shows the projects, and how to bring one. */
export function ProjectsPage() {
  const { data, error, refetch } = useProjects();
  const [naming, setNaming] = useState(false);
  const toImport = () => document.getElementById('import')?.scrollIntoView({ behavior: 'smooth', block: 'center' });
  const actions = (
    <>
      <Button onClick={() => setNaming(true)}>Empty project</Button>
      {data && data.projects.length > 5 && (
        <Button look="primary" onClick={toImport}>
          Import a dbt project
        </Button>
      )}
    </>
  );
  return (
    <Page title="Projects" actions={actions}>
      {data ? (
        data.projects.length > 0 && <ProjectList projects={data.projects} />
      ) : error ? (
        <Card className={styles.table}>
          <ProblemBlank problem={asProblem(error)} onRetry={() => void refetch()} />
        </Card>
      ) : (
        <ProjectListSkeleton />
      )}
      <ImportZone isFirst={data?.projects.length === 0} />
      <NewProject open={naming} onOpenChange={setNaming} />
    </Page>
  );
}
