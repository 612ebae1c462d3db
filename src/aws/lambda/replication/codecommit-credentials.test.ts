import { expect, test } from 'vitest';
import { basicAuthorization, codecommitCredentials } from './codecommit-credentials.ts';

const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

/* Passwords that the AWS CLI's `codecommit credential-helper get` printed for these keys, hosts and times. */
test.each([
  {
    url: 'https://git-codecommit.us-west-2.amazonaws.com/v1/repos/acme-storefront',
    region: 'us-west-2',
    at: Date.UTC(2026, 10, 23, 6, 10, 49, 17),
    sessionToken: undefined,
    username: 'AKIDEXAMPLE',
    password: '20261123T061049Zd2acc3772c1c9a02aae850da9c8fed5c92f111108ae1b411206ee684e355de79',
  },
  {
    url: 'https://git-codecommit.eu-central-1.amazonaws.com/v1/repos/storefront',
    region: 'eu-central-1',
    at: Date.UTC(2026, 10, 23, 6, 10, 51),
    sessionToken: 'token/with+signs=',
    username: 'AKIDEXAMPLE%token/with+signs=',
    password: '20261123T061051Zcc6ab3da7b5db742f9315764dbdf9c5c9624bfc550b4387524f6638c7b51e267',
  },
])('signs $url as the AWS CLI does', ({ url, region, at, sessionToken, username, password }) => {
  const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: SECRET, sessionToken };
  expect(codecommitCredentials(keys, { url, region, at })).toEqual({ username, password });
});

test('goes into a header as user and password', () => {
  expect(basicAuthorization({ username: 'ada', password: 'ü' })).toBe('Basic YWRhOsO8');
});
