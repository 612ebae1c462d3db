/** The alarms of a service, as the configuration names them. */
export const SERVICE_ALARMS = ['cpu', 'memory', 'serverErrors', 'unhealthyTargets', 'responseTime'] as const;
export type ServiceAlarm = (typeof SERVICE_ALARMS)[number];

/** What an alarm can set off. */
export const REMEDIES = ['restart', 'scale-out', 'roll-back', 'call'] as const;
export type Remedy = (typeof REMEDIES)[number];
