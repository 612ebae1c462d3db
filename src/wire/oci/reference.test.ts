import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatImageReference,
  isCommitTag,
  isRepositoryName,
  isTag,
  parseImageReference,
} from './reference.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('an image reference', () => {
  it.each([
    ['node', { repository: 'node' }],
    ['node:22-slim', { repository: 'node', tag: '22-slim' }],
    ['team/app', { repository: 'team/app' }],
    ['127.0.1.1:8000/app:v1', { registry: '127.0.1.1:8000', repository: 'app', tag: 'v1' }],
    ['localhost/app', { registry: 'localhost', repository: 'app' }],
    ['[::1]:5000/app', { registry: '[::1]:5000', repository: 'app' }],
    [
      'public.ecr.aws/docker/library/node:24',
      { registry: 'public.ecr.aws', repository: 'docker/library/node', tag: '24' },
    ],
    [`ghcr.io/a/b@${DIGEST}`, { registry: 'ghcr.io', repository: 'a/b', digest: DIGEST }],
    [`r:1/a:t@${DIGEST}`, { registry: 'r:1', repository: 'a', tag: 't', digest: DIGEST }],
  ])('%s is taken apart, and put together again', (text, parts) => {
    expect(parseImageReference(text)).toEqual(parts);
    expect(formatImageReference(parseImageReference(text))).toBe(text);
  });

  it.each([
    '',
    ':tag',
    'App',
    'app:',
    'app:-x',
    'a//b',
    '/app',
    'app@latest',
    'app@sha256:12',
    '../app',
    'host.name/../app',
    'host:99999999/app',
    'ho st.name/app',
    'http://host/app',
    `app:${'t'.repeat(129)}`,
  ])('%j is refused with what is wrong', text => {
    expect(() => parseImageReference(text)).toThrow(
      expect.objectContaining({ code: 'IMAGE_REFERENCE_INVALID' }) as Error,
    );
  });

  it('survives being written and read', () => {
    const word = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    const reference = fc.record(
      {
        registry: fc.constantFrom('localhost', '127.0.0.1:5000', 'registry.example.com', '[::1]:80'),
        repository: fc.array(word, { minLength: 1, maxLength: 4 }).map(parts => parts.join('/')),
        tag: fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/),
        digest: fc.constant(DIGEST),
      },
      { requiredKeys: ['repository'] },
    );
    fc.assert(
      fc.property(reference, value => {
        // Docker's own ambiguity: `localhost/app` as a name of two parts cannot be written without a registry.
        fc.pre(value.registry !== undefined || !value.repository.startsWith('localhost/'));
        expect(parseImageReference(formatImageReference(value))).toEqual(value);
      }),
    );
  });

  it('never crashes on any text', () => {
    fc.assert(
      fc.property(fc.string(), text => {
        try {
          const parts = parseImageReference(text);
          expect(isRepositoryName(parts.repository)).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: 'IMAGE_REFERENCE_INVALID' });
        }
      }),
    );
  });
});

describe('names and tags', () => {
  it.each(['a', 'a-b', 'a--b', 'a.b', 'a_b', 'a__b', 'team/app/sub', 'a'.repeat(255)])(
    '%s is a repository',
    name => {
      expect(isRepositoryName(name)).toBe(true);
    },
  );

  it.each([
    '',
    'A',
    '-a',
    'a-',
    'a..b',
    'a___b',
    'a/',
    '/a',
    'a//b',
    '.',
    '..',
    'a/../b',
    'a b',
    'ä',
    'a'.repeat(256),
    'a\n',
  ])('%j is no repository', name => {
    expect(isRepositoryName(name)).toBe(false);
  });

  it('is answered at once for the longest hostile names', () => {
    expect(isRepositoryName(`${'a-'.repeat(127)}!`)).toBe(false);
    expect(isRepositoryName(`${'a'.repeat(254)}!`)).toBe(false);
  });

  it('a commit id in full is a tag of its own kind', () => {
    expect(isCommitTag('a'.repeat(40))).toBe(true);
    expect(isCommitTag('0'.repeat(64))).toBe(true);
    for (const tag of ['a'.repeat(39), 'A'.repeat(40), 'g'.repeat(40), 'latest', 'a'.repeat(41)]) {
      expect(isTag(tag)).toBe(true);
      expect(isCommitTag(tag)).toBe(false);
    }
  });
});
