import { fetchHttp } from '../../../platform/http.ts';

/** Status 0: there was none. */
export interface Answer {
  status: number;
  body: string;
}

/** On a connection of its own. */
export async function requestOnce(url: string): Promise<Answer> {
  const response = await fetchHttp(url, { headers: { connection: 'close' } });
  return { status: response.status, body: await response.text() };
}

/** Requests one after another by three clients, one of them slow ones, until `end`, which returns every answer. */
export function sendTraffic(url: string) {
  let isEnding = false;
  const answers: Answer[] = [];
  const client = async (path: string) => {
    while (!isEnding) {
      answers.push(
        await requestOnce(url + path).catch((error: unknown) => ({ status: 0, body: String(error) })),
      );
    }
    answers.push(await requestOnce(url));
  };
  const clients = ['/', '/', '/slow'].map(client);
  return {
    async end(): Promise<Answer[]> {
      isEnding = true;
      await Promise.all(clients);
      return answers;
    },
  };
}
