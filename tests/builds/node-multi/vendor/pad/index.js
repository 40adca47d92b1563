export const pad = (text, by) => `${by} ${text} ${by}`;
