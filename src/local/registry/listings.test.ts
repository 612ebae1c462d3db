import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeImage } from './testing/image.ts';
import { codesOf, RegistryServer, type Answer } from './testing/server.ts';

let server: RegistryServer;

beforeEach(async () => {
  server = await RegistryServer.start();
});

afterEach(async () => {
  await server.remove();
});

describe('the base endpoint', () => {
  it.each(['/v2/', '/v2'])('answers %s, as clients ask first', async path => {
    const answer = await server.send('GET', path);
    expect([answer.status, answer.body.toString()]).toEqual([200, '{}']);
    expect(answer.headers['docker-distribution-api-version']).toBe('registry/2.0');
    expect((await server.send('HEAD', path)).status).toBe(200);
  });
});

describe('listing tags', () => {
  beforeEach(async () => {
    await server.push('team/app', await makeImage('one'), 'v2', 'B', 'a', 'v10', 'C', 'latest');
  });

  it('gives all of them in order, capitals among the others', async () => {
    const answer = await server.send('GET', '/v2/team/app/tags/list');
    expect(JSON.parse(answer.body.toString())).toEqual({
      name: 'team/app',
      tags: ['a', 'B', 'C', 'latest', 'v10', 'v2'],
    });
    expect(answer.headers['link']).toBeUndefined();
  });

  it('gives a page and the way to the next, until the last', async () => {
    const seen: string[][] = [];
    let path: string | undefined = '/v2/team/app/tags/list?n=4';
    while (path !== undefined) {
      const answer: Answer = await server.send('GET', path);
      seen.push(tagsOf(answer));
      path = /^<([^>]+)>; rel="next"$/.exec(String(answer.headers['link']))?.[1];
    }
    expect(seen).toEqual([
      ['a', 'B', 'C', 'latest'],
      ['v10', 'v2'],
    ]);
  });

  it('starts after `last`, which need not exist', async () => {
    expect(tagsOf(await server.send('GET', '/v2/team/app/tags/list?last=lates'))).toEqual([
      'latest',
      'v10',
      'v2',
    ]);
    expect(tagsOf(await server.send('GET', '/v2/team/app/tags/list?n=1&last=latest'))).toEqual(['v10']);
    expect(tagsOf(await server.send('GET', '/v2/team/app/tags/list?last=v2'))).toEqual([]);
  });

  it('gives none for n=0, and refuses what is no number', async () => {
    const none = await server.send('GET', '/v2/team/app/tags/list?n=0');
    expect([tagsOf(none), none.headers['link']]).toEqual([[], undefined]);
    for (const n of ['-1', 'x', '1e9', '']) {
      const answer = await server.send('GET', `/v2/team/app/tags/list?n=${n}`);
      expect([answer.status, ...codesOf(answer)]).toEqual([400, 'PAGINATION_NUMBER_INVALID']);
    }
  });

  it('knows no repository that nothing was pushed to', async () => {
    const answer = await server.send('GET', '/v2/team/tags/list');
    expect([answer.status, ...codesOf(answer)]).toEqual([404, 'NAME_UNKNOWN']);
  });
});

describe('the catalog', () => {
  it('lists repositories in pages', async () => {
    const image = await makeImage('one');
    for (const repository of ['c', 'a', 'b/nested']) await server.push(repository, image, 'latest');
    const all = await server.send('GET', '/v2/_catalog');
    expect(JSON.parse(all.body.toString())).toEqual({ repositories: ['a', 'b/nested', 'c'] });
    const first = await server.send('GET', '/v2/_catalog?n=2');
    expect(first.headers['link']).toBe('</v2/_catalog?n=2&last=b%2Fnested>; rel="next"');
    const rest = await server.send('GET', '/v2/_catalog?n=2&last=b%2Fnested');
    expect(JSON.parse(rest.body.toString())).toEqual({ repositories: ['c'] });
    expect(rest.headers['link']).toBeUndefined();
  });
});

function tagsOf(answer: Answer): string[] {
  return (JSON.parse(answer.body.toString()) as { tags: string[] }).tags;
}
