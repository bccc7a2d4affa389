import { useMutation, useQueryClient } from '@tanstack/react-query';

import { path, post } from './client';
import { keys } from './keys';
import type {
  ConnectionTest,
  Environment,
  Environments,
  ImportReport,
  NewFromTemplate,
  NewPublish,
  NewRun,
  PreviewRef,
  PublishRef,
  Rename,
  RenamePreview,
  RowsWanted,
  RunRef,
} from './schema';

const of = (project: string) => path('projects', project);

/** Is an archive to import. */
export interface Archive {
  bytes: Uint8Array<ArrayBuffer>;
  type: 'application/zip' | 'application/gzip';
  /** What the history calls it. */
  source: string;
  name?: string | undefined;
  /** The folder of dbt_project.yml, where the archive has several. */
  root?: string | undefined;
  /** Files that were probably executable, and are not any more: a browser does not tell. */
  programs?: string[];
}

/** Makes a project of an archive. */
export function useImport() {
  const client = useQueryClient();
  return useMutation<ImportReport, Error, Archive>({
    mutationFn: ({ bytes, type, source, name, root }) =>
      post('/projects/import', { bytes: { type, content: bytes }, query: { source, name, root }, once: true }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.projects }),
  });
}

/** Makes a project of a template. */
export function useCreateProject() {
  const client = useQueryClient();
  return useMutation<ImportReport, Error, NewFromTemplate>({
    mutationFn: (body) => post('/projects', { body, once: true }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.projects }),
  });
}

/** Requests a run. */
export function useStartRun(project: string) {
  const client = useQueryClient();
  return useMutation<RunRef, Error, NewRun>({
    mutationKey: ['run'],
    mutationFn: (body) => post(`${of(project)}/runs`, { body, once: true }),
    onSuccess: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: keys.runs(project) }),
        client.invalidateQueries({ queryKey: keys.detail(project) }),
      ]),
  });
}

/** Cancels a run. */
export function useCancelRun(project: string) {
  const client = useQueryClient();
  return useMutation<RunRef, Error, string>({
    mutationKey: ['cancel'],
    mutationFn: (run) => post(`${of(project)}/runs${path(run)}/cancel`, { once: true }),
    onSuccess: ({ run_id }) => client.invalidateQueries({ queryKey: keys.run(project, run_id) }),
  });
}

/** Publishes the branch's head. */
export function usePublish(project: string) {
  const client = useQueryClient();
  return useMutation<PublishRef, Error, NewPublish>({
    mutationKey: ['publish'],
    mutationFn: (body) => post(`${of(project)}/publish`, { body, once: true }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.publishes(project) }),
  });
}

/** Defines an environment. */
export function useDefineEnvironment(project: string) {
  const client = useQueryClient();
  return useMutation<Environments, Error, Environment>({
    mutationKey: ['environment'],
    mutationFn: (body) => post(`${of(project)}/environments`, { body, once: true }),
    onSuccess: (environments) => {
      client.setQueryData(keys.environments(project), environments);
      void client.invalidateQueries({ queryKey: keys.project(project) });
    },
  });
}

/** Tests whether an environment's target answers. */
export function useTestConnection(project: string) {
  return useMutation<ConnectionTest, Error, string>({
    mutationKey: ['test'],
    mutationFn: (name) => post(`${of(project)}/environments${path(name)}/test`),
  });
}

/** Asks what a rename would change. */
export function usePreviewRename(project: string) {
  return useMutation<RenamePreview, Error, Rename>({
    mutationKey: ['preview-rename'],
    mutationFn: (body) => post(`${of(project)}/preview/rename`, { body }),
  });
}

/** Asks for the first rows of a node or of a text. */
export function useAskRows(project: string) {
  return useMutation<PreviewRef, Error, RowsWanted>({
    mutationKey: ['preview'],
    mutationFn: (body) => post(`${of(project)}/preview/data`, { body }),
  });
}

/** Asks for the rows that fail a test of a run, up to a number of them. */
export function useAskFailures(project: string, limit: number) {
  return useMutation<PreviewRef, Error, { run: string; test: string }>({
    mutationKey: ['failures'],
    mutationFn: ({ run, test }) => post(`${of(project)}/runs${path(run, 'steps', test, 'failures')}`, { query: { limit } }),
  });
}
