/** The collector runs beside the application, in a container of this name that listens on this port. */
export const COLLECTOR = { container: 'collector', port: 4318 } as const;

/** Containers of one task have names of their own, and share its ports. */
export function containerFaults(config: {
  application: string;
  service: { port: number };
  monitoring: { collector: boolean };
}): { path: string[]; input: unknown; message: string }[] {
  if (!config.monitoring.collector) return [];
  const { application, service } = config;
  const beside = 'while monitoring.collector runs beside it';
  return [
    ...(application === COLLECTOR.container
      ? [{ path: ['application'], input: application, message: `another name ${beside}` }]
      : []),
    ...(service.port === COLLECTOR.port
      ? [{ path: ['service', 'port'], input: service.port, message: `another port ${beside}` }]
      : []),
  ];
}
