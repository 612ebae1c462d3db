/** What became of one key of a Copilot workspace. */
export type Remark = TakenRemark | ChangedRemark | LeftRemark;

interface Place {
  /** From the workspace's folder: `copilot/web/manifest.yml`. */
  file: string;
  /** Counted from 1. */
  line: number;
  /** As written there: `environments.prod.count`; the name of a resource in an add-on. Empty for a whole file. */
  key: string;
}

/** It means the same in Tandem. */
interface TakenRemark extends Place {
  kind: 'taken';
  /** Where it went: `service.cpu`, `buildspec.yml`. */
  into: string;
}

/** It was carried over, but is not quite the same any more. */
interface ChangedRemark extends Place {
  kind: 'changed';
  into: string;
  /** What is different, and what to do where that is not wanted. */
  remark: string;
}

/** Nothing of it is in the result. */
interface LeftRemark extends Place {
  kind: 'left';
  /** What to do about it. */
  remark: string;
}
