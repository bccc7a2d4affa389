/** A project of any size, by the API. */
import { zipSync } from 'fflate';

import { importArchive } from './app';

const LAYERS = ['staging', 'intermediate', 'marts'];
/** In how many folders the models of each layer lie. */
const FOLDERS = 10;

function archive(models: number): Uint8Array<ArrayBuffer> {
  const text = (content: string) => new TextEncoder().encode(content);
  const files: Record<string, Uint8Array> = { 'big/dbt_project.yml': text('name: big\nversion: "1.0"\nprofile: big\n') };
  const size = Math.ceil(models / LAYERS.length);
  for (let at = 0; at < models; at += 1) {
    const [layer, place] = [Math.floor(at / size), at % size];
    const name = (of: number, number: number) => `${LAYERS[of]?.slice(0, 3) ?? ''}_${String(number % size).padStart(3, '0')}`;
    const reads = layer === 0 ? [] : [name(layer - 1, place), name(layer - 1, place + 7)];
    const sql = reads.length === 0 ? 'select 1 as id' : reads.map((read) => `select * from {{ ref('${read}') }}`).join('\nunion all\n');
    files[`big/models/${LAYERS[layer] ?? ''}/area_${place % FOLDERS}/${name(layer, place)}.sql`] = text(sql);
  }
  return zipSync(files);
}

/** Makes a project of so many models, staging, intermediate and marts, each reading two of the layer before it, and answers its id. */
export function makeBig(models: number): Promise<string> {
  return importArchive('big.zip', archive(models));
}
