import type { IncomingMessage } from 'node:http';

/** A body in AWS's JSON protocols, where an instant is a number of seconds. */
export function awsJson(body: object): string {
  return JSON.stringify(body, function (this: Record<string, unknown>, key, value: unknown) {
    const given = this[key];
    return given instanceof Date ? given.getTime() / 1000 : value;
  });
}

export async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
