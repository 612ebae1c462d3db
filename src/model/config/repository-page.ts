const HOSTS = { github: 'github.com', gitlab: 'gitlab.com' } as const;

/** Where people see a repository elsewhere; with `.git`, where Git clones it and pushes to. @param repository `owner/name` */
export function repositoryPage(provider: keyof typeof HOSTS, repository: string): string {
  return `https://${HOSTS[provider]}/${repository}`;
}
