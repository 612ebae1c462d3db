import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRepositoryName } from './reference.ts';
import { parseRegistryPath } from './registry-path.ts';

describe('a registry path', () => {
  it.each([
    ['/v2', { kind: 'ping' }],
    ['/v2/', { kind: 'ping' }],
    ['/v2/_catalog', { kind: 'catalog' }],
    ['/v2/app/tags/list', { kind: 'tags', repository: 'app' }],
    ['/v2/a/b/c/manifests/latest', { kind: 'manifest', repository: 'a/b/c', reference: 'latest' }],
    ['/v2/app/manifests/sha256%3Aab', { kind: 'manifest', repository: 'app', reference: 'sha256:ab' }],
    ['/v2/app/blobs/sha256:ab', { kind: 'blob', repository: 'app', digest: 'sha256:ab' }],
    ['/v2/app/blobs/uploads/', { kind: 'uploads', repository: 'app' }],
    ['/v2/app/blobs/uploads', { kind: 'uploads', repository: 'app' }],
    ['/v2/app/blobs/uploads/1234', { kind: 'upload', repository: 'app', id: '1234' }],
    ['/v2/app/referrers/sha256:ab', { kind: 'referrers', repository: 'app', digest: 'sha256:ab' }],
    [
      '/v2/manifests/tags/manifests/list',
      { kind: 'manifest', repository: 'manifests/tags', reference: 'list' },
    ],
  ])('%s', (path, expected) => {
    expect(parseRegistryPath(path)).toEqual(expected);
  });

  it.each(['/v2/app', '/v2/app/', '/v2/app/tags', '/v2/app/manifests/', '/v2/_catalog/x'])(
    '%s is none',
    path => {
      expect(parseRegistryPath(path)).toBeUndefined();
    },
  );

  it('never names a repository that is no name, whatever is asked', () => {
    const part = fc.constantFrom(
      'v2',
      '..',
      '.',
      '%2e%2e',
      '%2f',
      'app',
      'blobs',
      'uploads',
      'manifests',
      'tags',
      'list',
      'A',
      '%',
      '',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), parts => {
        try {
          const found = parseRegistryPath(`/v2/${parts.join('/')}`);
          if (found && 'repository' in found) expect(isRepositoryName(found.repository)).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: 'NAME_INVALID', status: 400 });
        }
      }),
    );
  });
});
