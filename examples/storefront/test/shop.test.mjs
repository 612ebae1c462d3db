import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { handleRequest } from '../app/handle-request.mjs';
import { readIdentity } from '../app/identity.mjs';

const server = createServer((request, response) => handleRequest(request, response, identity));
let identity;
let origin;

before(async () => {
  identity = await readIdentity({
    APP_VERSION: '3.1.4',
    AWS_REGION: 'us-east-1',
    RELEASE: '4f2a9c1',
    TASK_ID: '<task>',
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${server.address().port}`;
});

after(() => server.close());

test('the page shows the products and who served it', async () => {
  const response = await fetch(origin);
  const page = await response.text();
  assert.equal(response.status, 200);
  for (const text of ['Brass compass', '3.1.4', 'us-east-1', '4f2a9c1', '&#60;task&#62;']) {
    assert.ok(page.includes(text), `the page lacks ${text}`);
  }
});

test('the same is told to programs', async () => {
  const response = await fetch(`${origin}/api/info`);
  assert.deepEqual(await response.json(), {
    application: 'storefront',
    version: '3.1.4',
    region: 'us-east-1',
    release: '4f2a9c1',
    taskId: '<task>',
  });
});

test('/health answers 200', async () => {
  const response = await fetch(`${origin}/health`);
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { status: 'ok' });
});

test('the basket travels in a cookie', async () => {
  const added = await postForm('/basket', 'product=compass', 'other=1; basket=anchor.stolen');
  assert.equal(added.status, 303);
  const [cookie] = added.headers.getSetCookie();
  assert.match(cookie, /^basket=anchor\.compass; Path=\/; HttpOnly/);
  const page = await (await fetch(origin, { headers: { cookie: cookie.split(';')[0] } })).text();
  assert.ok(page.includes('$126.00'));
  const emptied = await postForm('/basket/empty', '', cookie);
  assert.match(emptied.headers.getSetCookie()[0], /Max-Age=0/);
});

test('what makes no sense is refused', async () => {
  assert.equal((await postForm('/basket', 'product=yacht')).status, 400);
  assert.equal((await fetch(`${origin}/nothing`)).status, 404);
  const refused = await fetch(`${origin}/health`, { method: 'DELETE' });
  assert.equal(refused.status, 405);
  assert.equal(refused.headers.get('allow'), 'GET');
});

function postForm(path, body, cookie = '') {
  return fetch(origin + path, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/x-www-form-urlencoded', cookie },
    redirect: 'manual',
  });
}
