export interface ProxyConfig {
  httpProxy?: string;
  httpsProxy?: string;
  noProxy?: string;
  ftpProxy?: string;
  allProxy?: string;
}

/** `config.json`, as docker's client shares it with other tools. */
export interface ConfigFile {
  auths?: Record<string, { auth?: string; identitytoken?: string; registrytoken?: string }>;
  credsStore?: string;
  credHelpers?: Record<string, string>;
  currentContext?: string;
  proxies?: Record<string, ProxyConfig>;
  detachKeys?: string;
  HttpHeaders?: Record<string, string>;
  pruneFilters?: string[];
  cliPluginsExtraDirs?: string[];
  psFormat?: string;
  imagesFormat?: string;
  networksFormat?: string;
  volumesFormat?: string;
  statsFormat?: string;
}
