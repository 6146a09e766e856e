/** Where this installation keeps its things. All absolute. */
export interface Paths {
  readonly root: string;
  /** OCI image layout (oci-layout, index.json, blobs/). */
  readonly images: string;
  /** `layers/<64 hex of the diff id>/fs` and `…/layer.json`. */
  readonly layers: string;
  /** `containers/<id>/config.json`, `state.json`, `lock`, `log`, `upper`, `work`, `merged` …; `containers/.names/<name>`. */
  readonly containers: string;
  /** `volumes/<name>/_data` and `…/volume.json`. */
  readonly volumes: string;
  readonly networks: string;
  readonly tmp: string;
  /** 0700, ours, for sockets. */
  readonly runtime: string;
}
