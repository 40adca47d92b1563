/** The API's path of a volume, or of something of it. */
export const volumePath = (name: string, rest = ""): string => `/volumes/${encodeURIComponent(name)}${rest}`;
