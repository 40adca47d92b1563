/** The container whose namespace a mode such as `container:db` joins; undefined for any other. */
export const joinedContainer = (mode: string): string | undefined =>
  mode.startsWith("container:") ? mode.slice("container:".length) : undefined;
