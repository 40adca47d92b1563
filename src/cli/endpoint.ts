export const defaultHost = "unix:///run/berth.sock";

/** Where the engine is and how that was decided. */
export interface Endpoint {
  context: string;
  url: string;
  tls: boolean;
  /** false when it is the default because nothing named another: then an engine may be started */
  named: boolean;
  tlsFolder?: string;
  skipTlsVerify?: boolean;
}
