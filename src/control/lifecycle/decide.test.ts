import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideRetention, ManifestGraph, type RetentionInput, type StoredManifestFacts } from './decide.ts';

const HOUR = 3_600_000;
const NOW = 1_000 * HOUR;

describe('retention', () => {
  it('keeps the newest and what is in use', () => {
    const manifests = ['a', 'b', 'c', 'd'].map((digest, age) =>
      image(digest, { pushedAt: NOW - (age + 2) * HOUR }),
    );
    expect(decide({ manifests, keepImages: 2, inUse: new Set(['d']) }).expired).toEqual(['c']);
  });

  it('counts an image in use among the newest where it is one', () => {
    const manifests = ['a', 'b', 'c'].map((digest, age) =>
      image(digest, { pushedAt: NOW - (age + 2) * HOUR }),
    );
    expect(decide({ manifests, keepImages: 2, inUse: new Set(['a']) }).expired).toEqual(['c']);
  });

  it('frees what no kept manifest names, after the grace', () => {
    const manifests = [
      image('new', { blobs: ['shared', 'own'] }),
      image('old', { pushedAt: NOW - 9 * HOUR, blobs: ['shared', 'gone', 'touched'] }),
    ];
    const blobs = ['shared', 'own', 'gone'].map(digest => ({ digest, touchedAt: NOW - 9 * HOUR }));
    blobs.push({ digest: 'touched', touchedAt: NOW - 1 });
    expect(decide({ manifests, blobs, keepImages: 1 })).toEqual({ expired: ['old'], freed: ['gone'] });
  });

  it('takes an index whole, and a tag on a child does not save it', () => {
    const manifests = [
      image('new'),
      image('index', { pushedAt: NOW - 9 * HOUR, children: ['amd', 'arm'] }),
      image('amd', { pushedAt: NOW - 9 * HOUR }),
      image('arm', { pushedAt: NOW - 9 * HOUR, isTagged: false }),
    ];
    expect(decide({ manifests, keepImages: 1 }).expired).toEqual(['index', 'amd', 'arm']);
    expect(decide({ manifests, keepImages: 1, inUse: new Set(['arm']) }).expired).toEqual([]);
    expect(decide({ manifests, keepImages: 2 }).expired).toEqual([]);
  });

  it('keeps referrers exactly as long as their subject', () => {
    const manifests = [
      image('new'),
      image('old', { pushedAt: NOW - 9 * HOUR }),
      image('signature', { subject: 'old', isTagged: false }),
      image('signature of it', { subject: 'signature' }),
      image('signature of new', { subject: 'new', pushedAt: NOW - 99 * HOUR }),
    ];
    expect(decide({ manifests, keepImages: 1 }).expired).toEqual(['old', 'signature', 'signature of it']);
  });

  it('gives a referrer without its subject the grace, tagged or not', () => {
    const orphan = (pushedAt: number) => image('orphan', { subject: 'absent', pushedAt });
    expect(decide({ manifests: [orphan(NOW - 1)] }).expired).toEqual([]);
    expect(decide({ manifests: [orphan(NOW - 2 * HOUR)] }).expired).toEqual(['orphan']);
  });

  it('does not count what may be the children of an index to come', () => {
    const manifests = [
      image('tagged', { pushedAt: NOW - 2 * HOUR }),
      ...['x', 'y', 'z'].map(digest => image(digest, { isTagged: false, pushedAt: NOW - 1 })),
    ];
    expect(decide({ manifests, keepImages: 1 }).expired).toEqual([]);
  });
});

describe('retention, for any repository', () => {
  it('never takes what is in use, nor anything that it is made of or part of', () => {
    fc.assert(
      fc.property(inputs, input => {
        const { expired, freed } = decideRetention(input);
        const graph = new ManifestGraph(input.manifests);
        const byDigest = new Map(input.manifests.map(manifest => [manifest.digest, manifest]));
        for (const digest of input.inUse) {
          if (!byDigest.has(digest)) continue;
          const above = graph.closure([digest], found => graph.above(found));
          const whole = graph.closure(above, found => graph.below(found));
          for (const member of whole) {
            expect(expired).not.toContain(member);
            for (const blob of byDigest.get(member)!.blobs) expect(freed).not.toContain(blob);
          }
        }
      }),
    );
  });

  it('keeps the newest images', () => {
    fc.assert(
      fc.property(inputs, input => {
        const { expired } = decideRetention(input);
        const graph = new ManifestGraph(input.manifests);
        const images = input.manifests
          .filter(manifest => graph.above(manifest.digest).length === 0 && manifest.subject === undefined)
          .sort((left, right) => right.pushedAt - left.pushedAt);
        const gone = images.filter(manifest => expired.includes(manifest.digest));
        const kept = images.filter(manifest => !expired.includes(manifest.digest));
        if (gone.length > 0) expect(kept.length).toBeGreaterThanOrEqual(input.keepImages);
        // Nothing that went is newer than any of the newest that stayed.
        const youngestGone = gone[0]?.pushedAt ?? -Infinity;
        expect(kept.filter(manifest => manifest.pushedAt >= youngestGone).length).toBeGreaterThanOrEqual(
          gone.length > 0 ? input.keepImages : 0,
        );
      }),
    );
  });

  it('leaves every manifest that stays whole: children, and blobs that were there', () => {
    fc.assert(
      fc.property(inputs, input => {
        const { expired, freed } = decideRetention(input);
        const digests = new Set(input.manifests.map(manifest => manifest.digest));
        for (const manifest of input.manifests.filter(found => !expired.includes(found.digest))) {
          for (const child of manifest.children) if (digests.has(child)) expect(expired).not.toContain(child);
          for (const blob of manifest.blobs) expect(freed).not.toContain(blob);
        }
      }),
    );
  });

  it('leaves alone what may be a push under way', () => {
    fc.assert(
      fc.property(inputs, input => {
        const { expired, freed } = decideRetention(input);
        const graph = new ManifestGraph(input.manifests);
        for (const manifest of input.manifests) {
          const isYoung = manifest.pushedAt > input.now - input.graceMs;
          const isAlone = graph.above(manifest.digest).length === 0;
          if (isYoung && isAlone && !manifest.isTagged) expect(expired).not.toContain(manifest.digest);
        }
        for (const blob of input.blobs) {
          if (blob.touchedAt > input.now - input.graceMs) expect(freed).not.toContain(blob.digest);
        }
      }),
    );
  });

  it('is done after once: a second look takes nothing more', () => {
    fc.assert(
      fc.property(inputs, input => {
        const { expired, freed } = decideRetention(input);
        const after = {
          ...input,
          manifests: input.manifests.filter(manifest => !expired.includes(manifest.digest)),
          blobs: input.blobs.filter(blob => !freed.includes(blob.digest)),
        };
        expect(decideRetention(after)).toEqual({ expired: [], freed: [] });
      }),
    );
  });

  it('does not depend on the order in which things are told', () => {
    fc.assert(
      fc.property(inputs, input => {
        const one = decideRetention(input);
        const other = decideRetention({
          ...input,
          manifests: input.manifests.toReversed(),
          blobs: input.blobs.toReversed(),
        });
        expect(new Set(other.expired)).toEqual(new Set(one.expired));
        expect(new Set(other.freed)).toEqual(new Set(one.freed));
      }),
    );
  });
});

/** Up to 12 manifests; each names only later ones, as digests cannot go in circles. */
const inputs: fc.Arbitrary<RetentionInput> = fc
  .array(
    fc.record({
      isTagged: fc.boolean(),
      ageHours: fc.integer({ min: 0, max: 20 }),
      children: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 3 }),
      subject: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined, freq: 3 }),
      blobs: fc.uniqueArray(fc.constantFrom('b0', 'b1', 'b2', 'b3', 'b4', 'b5'), { maxLength: 3 }),
    }),
    { maxLength: 12 },
  )
  .chain(drafts =>
    fc.record({
      manifests: fc.constant(
        drafts.map((draft, index) => ({
          digest: `m${index}`,
          isTagged: draft.isTagged,
          pushedAt: NOW - draft.ageHours * (HOUR / 4) - index,
          children: [...new Set(draft.children.map(step => `m${index + step}`))],
          blobs: draft.blobs,
          ...(draft.subject === undefined ? {} : { subject: `m${index + draft.subject}` }),
        })),
      ),
      blobs: fc
        .array(fc.integer({ min: 0, max: 20 }), { minLength: 6, maxLength: 6 })
        .map(ages => ages.map((age, index) => ({ digest: `b${index}`, touchedAt: NOW - age * (HOUR / 4) }))),
      inUse: fc
        .uniqueArray(fc.nat(13), { maxLength: 3 })
        .map(found => new Set(found.map(index => `m${index}`))),
      keepImages: fc.integer({ min: 1, max: 5 }),
      graceMs: fc.constant(HOUR),
      now: fc.constant(NOW),
    }),
  );

function image(digest: string, more: Partial<StoredManifestFacts> = {}): StoredManifestFacts {
  return { digest, isTagged: true, pushedAt: NOW - 2 * HOUR, children: [], blobs: [], ...more };
}

function decide(input: Partial<RetentionInput>) {
  return decideRetention({
    manifests: [],
    blobs: [],
    inUse: new Set(),
    keepImages: 10,
    graceMs: HOUR,
    now: NOW,
    ...input,
  });
}
