import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { artifactTypeOf, parseManifest } from './manifest.ts';
import { DOCKER_MANIFEST, DOCKER_MANIFEST_LIST, OCI_INDEX, OCI_MANIFEST } from './media-types.ts';

const blob = { mediaType: 'application/x-blob', digest: `sha256:${'a'.repeat(64)}`, size: 7 };

describe('a manifest', () => {
  it('of an image gives config and layers', () => {
    const manifest = parseManifest(
      bytesOf({ schemaVersion: 2, mediaType: OCI_MANIFEST, config: blob, layers: [blob] }),
    );
    expect(manifest).toEqual({
      kind: 'manifest',
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: blob,
      layers: [blob],
    });
  });

  it('of an index gives manifests and their platforms', () => {
    const platform = { architecture: 'arm64', os: 'linux', variant: 'v8' };
    const index = parseManifest(bytesOf({ schemaVersion: 2, manifests: [{ ...blob, platform }] }), OCI_INDEX);
    expect(index).toMatchObject({ kind: 'index', mediaType: OCI_INDEX, manifests: [{ ...blob, platform }] });
  });

  it.each([
    [{ config: blob }, undefined, OCI_MANIFEST],
    [{ manifests: [] }, undefined, OCI_INDEX],
    [{ config: blob }, DOCKER_MANIFEST, DOCKER_MANIFEST],
    [{ manifests: [], mediaType: DOCKER_MANIFEST_LIST }, undefined, DOCKER_MANIFEST_LIST],
    [{ config: blob, mediaType: DOCKER_MANIFEST }, DOCKER_MANIFEST, DOCKER_MANIFEST],
  ])(
    'takes its media type from itself, then from its sender, then from its shape: %j, %s',
    (document, sent, expected) => {
      expect(parseManifest(bytesOf({ schemaVersion: 2, ...document }), sent).mediaType).toBe(expected);
    },
  );

  it("takes Go's null for absent", () => {
    const manifest = parseManifest(
      bytesOf({ schemaVersion: 2, config: blob, layers: null, annotations: null, subject: null }),
    );
    expect(manifest).toMatchObject({ kind: 'manifest', layers: [] });
    expect(manifest.annotations).toBeUndefined();
  });

  it('has an artifact type of its own, or that of its config', () => {
    const config = { ...blob, mediaType: 'application/x-config' };
    const typed = parseManifest(bytesOf({ schemaVersion: 2, config, artifactType: 'application/x-own' }));
    expect(artifactTypeOf(typed)).toBe('application/x-own');
    expect(artifactTypeOf(parseManifest(bytesOf({ schemaVersion: 2, config })))).toBe('application/x-config');
    expect(artifactTypeOf(parseManifest(bytesOf({ schemaVersion: 2, manifests: [] })))).toBeUndefined();
  });

  it.each<[string, unknown, string?]>([
    ['no object', []],
    ['of schema 1', { schemaVersion: 1, config: blob }],
    ['without config', { schemaVersion: 2, layers: [] }],
    ['with a negative size', { schemaVersion: 2, config: { ...blob, size: -1 } }],
    ['with a broken size', { schemaVersion: 2, config: { ...blob, size: 1.5 } }],
    ['with a digest that is a path', { schemaVersion: 2, config: { ...blob, digest: 'sha256:../../etc' } }],
    ['of an unknown type', { schemaVersion: 2, mediaType: 'application/json', config: blob }],
    ['sent as another type', { schemaVersion: 2, mediaType: OCI_MANIFEST, config: blob }, DOCKER_MANIFEST],
    ['sent as an index', { schemaVersion: 2, config: blob, layers: [] }, OCI_INDEX],
    ['of both kinds', { schemaVersion: 2, config: blob, layers: [], manifests: [] }],
    ['of both kinds, the other way', { schemaVersion: 2, manifests: [], layers: [] }, OCI_INDEX],
  ])('is refused: %s', (_name, document, sent) => {
    expect(() => parseManifest(bytesOf(document), sent)).toThrow(
      expect.objectContaining({ code: 'MANIFEST_INVALID' }) as Error,
    );
  });

  it('is refused, never a crash, whatever the bytes', () => {
    const anything = fc.oneof(
      fc.uint8Array(),
      fc.json().map(text => new TextEncoder().encode(text)),
    );
    fc.assert(
      fc.property(anything, bytes => {
        try {
          parseManifest(bytes);
        } catch (error) {
          expect(error).toMatchObject({ code: 'MANIFEST_INVALID' });
        }
      }),
    );
  });
});

function bytesOf(document: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(document));
}
