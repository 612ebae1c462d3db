export const behaviour = 'good';
