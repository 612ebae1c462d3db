import { describe, expect, it } from 'vitest';
import { parseImageConfig } from './image-config.ts';

describe('an image configuration', () => {
  it('is read as Docker writes it, with null for absent', () => {
    const config = parseImageConfig(
      bytesOf({
        architecture: 'amd64',
        os: 'linux',
        created: '2024-01-01T00:00:00Z',
        container: 'left out',
        config: {
          User: '1001',
          ExposedPorts: { '8080/tcp': {} },
          Env: ['PATH=/usr/bin', 'EMPTY='],
          Cmd: ['node', 'server.js'],
          Entrypoint: null,
          Labels: null,
          OnBuild: null,
          WorkingDir: '/app',
          StopSignal: 'SIGTERM',
          Healthcheck: { Test: ['CMD', 'true'], Interval: 5_000_000_000, Retries: 3 },
        },
        rootfs: { type: 'layers', diff_ids: [`sha256:${'b'.repeat(64)}`] },
        history: [{ created_by: 'COPY . .', empty_layer: false }],
      }),
    );
    expect(config).toEqual({
      architecture: 'amd64',
      os: 'linux',
      created: '2024-01-01T00:00:00Z',
      config: {
        User: '1001',
        ExposedPorts: { '8080/tcp': {} },
        Env: ['PATH=/usr/bin', 'EMPTY='],
        Cmd: ['node', 'server.js'],
        WorkingDir: '/app',
        StopSignal: 'SIGTERM',
        Healthcheck: { Test: ['CMD', 'true'], Interval: 5_000_000_000, Retries: 3 },
      },
      rootfs: { type: 'layers', diff_ids: [`sha256:${'b'.repeat(64)}`] },
      history: [{ created_by: 'COPY . .', empty_layer: false }],
    });
  });

  it('may say next to nothing', () => {
    expect(
      parseImageConfig(bytesOf({ architecture: 'arm64', os: 'linux', rootfs: { type: 'layers' } })),
    ).toEqual({
      architecture: 'arm64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: [] },
      history: [],
    });
  });

  it.each([
    ['no JSON', '{'],
    ['no platform', '{"rootfs":{"type":"layers"}}'],
    [
      'an environment that is no list',
      '{"architecture":"a","os":"l","rootfs":{"type":"layers"},"config":{"Env":"A=1"}}',
    ],
    ['no UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
  ])('is refused: %s', (_name, document) => {
    const bytes = typeof document === 'string' ? new TextEncoder().encode(document) : document;
    expect(() => parseImageConfig(bytes)).toThrow(
      expect.objectContaining({ code: 'IMAGE_CONFIG_INVALID' }) as Error,
    );
  });
});

function bytesOf(document: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(document));
}
