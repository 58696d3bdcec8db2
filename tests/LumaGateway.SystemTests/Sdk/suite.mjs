// What the checks of all SDKs share. SANDBOX is the address of the emulated upstream: the checks inject faults there and count requests.
import assert from 'node:assert/strict';

export const sandbox = process.env.SANDBOX;
export const gateway = process.env.GATEWAY;
export const key = process.env.CLIENT_KEY;

export async function check(name, run) {
  const detail = await run();
  console.log(`ok    ${name}${detail ? `: ${detail}` : ''}`);
}

export const fail = (fault) => fetch(`${sandbox}/sandbox/faults`, {
  method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(fault),
}).then((response) => assert.equal(response.status, 200));

export const clearFaults = () => fetch(`${sandbox}/sandbox/faults`, { method: 'DELETE' });
export const reset = () => fetch(`${sandbox}/sandbox/requests`, { method: 'DELETE' });
export const countRequests = async () => (await (await fetch(`${sandbox}/sandbox/requests`)).json()).total;
export const complete = (id) => fetch(`${sandbox}/sandbox/generations/${id}`, {
  method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{"state":"completed"}',
}).then((response) => assert.equal(response.status, 200));

/** The error of a promise that must be rejected. */
export const errorOf = (promise) => promise.then(() => assert.fail('the request did not fail'), (error) => error);
