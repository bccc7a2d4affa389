import type { Intent, paths } from './schema';

type Posted = { [At in keyof paths]: paths[At] extends { post: object } ? At : never }[keyof paths];

/** Names each command of the API: the kinds of edits, and the addresses that something is posted to. */
export type ApiCommand = Intent['type'] | 'place_node' | Exclude<Posted, `${string}/commands`>;
