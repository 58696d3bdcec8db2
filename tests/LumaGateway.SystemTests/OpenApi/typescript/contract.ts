// What every generated client must be able to do. Prints one line for each check.
const sample = '4665a07c-7641-4809-a133-10786201bb56';

export interface Item { id: string; state: string | undefined; problem: string | undefined }

export interface Client {
  get(id: string): Promise<{ state: string; video: string | undefined; outputs: number }>;
  wait(id: string, prefer: string): Promise<string>;
  getSeveral(ids: string[]): Promise<Item[]>;
  downloadVideo(id: string): Promise<Blob>;
  /** Reads an unknown id. */
  fail(id: string): Promise<{ status: number; code: string; detail: string | null }>;
  /** Creates a generation with `POST /generations`. */
  create(body: { prompt: string; aspect_ratio: string; duration: number }, key: string, prefer?: string): Promise<{ id: string; state: string }>;
  /** Creates one with a field that the upstream cannot express. */
  createUnsupported(body: { prompt: string; seed: number }): Promise<{ status: number; code: string; fields: string[] }>;
  /** Deletes a generation that the upstream cannot delete. */
  failToDelete(id: string): Promise<{ status: number; code: string }>;
  /** Creates a generation through the upstream's own API. */
  createRaw(prompt: string, key: string): Promise<unknown>;
  /** The ids of at most `limit` completed jobs. */
  listJobs(from: string, limit: number): Promise<(string | null)[]>;
}

export async function checkContract(client: Client): Promise<void> {
  const one = await client.get(sample);
  expectThat('get', one.state === 'completed' && one.video?.startsWith('http') === true && one.outputs > 0, one);

  const waited = await client.wait('run-1-generated', 'wait=30');
  expectThat('wait', waited === 'completed', waited);

  const several = await client.getSeveral([sample, 'unknown-1']);
  const expected: Item[] = [{ id: sample, state: 'completed', problem: undefined }, { id: 'unknown-1', state: undefined, problem: 'generation_not_found' }];
  expectThat('batch', JSON.stringify(several) === JSON.stringify(expected), several);

  const video = new Uint8Array(await (await client.downloadVideo('done-generated')).arrayBuffer());
  expectThat('asset', video.length === 1_000_000 && new TextDecoder().decode(video.subarray(4, 8)) === 'ftyp', video.length);

  const problem = await client.fail('unknown-2');
  expectThat('problem', problem.status === 404 && problem.code === 'generation_not_found' && problem.detail === 'There is no generation with this id, or this client may not see it.', problem);

  const key = crypto.randomUUID();
  const body = { prompt: 'cat dance', aspect_ratio: '16:9', duration: 5 };
  const created = await client.create(body, key);
  const again = await client.create(body, key);
  expectThat('create', created.id !== '' && ['queued', 'processing'].includes(created.state) && created.id === again.id && created.state === again.state, [created, again]);
  const finished = await client.create(body, crypto.randomUUID(), 'wait=30');
  expectThat('create and wait', finished.state === 'completed', finished);
  const unsupported = await client.createUnsupported({ prompt: 'cat dance', seed: 7 });
  expectThat('create problem', unsupported.status === 422 && unsupported.code === 'unsupported_field' && unsupported.fields.join() === 'seed', unsupported);
  const deleted = await client.failToDelete(created.id);
  expectThat('delete problem', deleted.status === 409 && deleted.code === 'not_cancellable', deleted);

  const rawKey = crypto.randomUUID();
  const raw = await client.createRaw('cat dance', rawKey);
  const rawAgain = await client.createRaw('cat dance', rawKey);
  expectThat('create raw', typeof raw === 'string' && raw === rawAgain, [raw, rawAgain]);
  const state = (await client.get(raw as string)).state;
  expectThat('get created', ['queued', 'processing', 'completed'].includes(state), state);

  const hourAgo = new Date(Date.now() - 3_600_000).toISOString();
  const jobs = await client.listJobs(hourAgo, 200);
  expectThat('jobs', jobs.includes(finished.id) && (await client.listJobs(hourAgo, 1)).length === 1, jobs);
}

function expectThat(name: string, isTrue: boolean, actual: unknown): void {
  if (!isTrue) throw new Error(`${name}: ${JSON.stringify(actual)}`);
  console.log(`ok ${name}`);
}
