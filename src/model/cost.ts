/** Money is US dollars a month throughout. */
export interface CostLine {
  region: string;
  /** `staging`, `production`, or `shared` by both. */
  environment: string;
  /** Terraform address. */
  resource: string;
  item: string;
  quantity: number;
  unit: string;
  usdPerUnit: number;
  usd: number;
  price: string;
}

/** A price that was used, so that nobody has to take an estimate on faith. */
export interface UsedPrice {
  id: string;
  usd: number;
  unit: string;
  date: string;
  source: string;
  isConfirmed: boolean;
}

export interface CostEstimate {
  currency: 'USD';
  total: number;
  lines: CostLine[];
  prices: UsedPrice[];
  /** Regions whose own price of something is not in the table, so that us-east-1's stands in. */
  substituted: { region: string; prices: string[] }[];
  /** Resources that cost something which cannot be told. */
  notCovered: { resource: string; region: string; reason: string }[];
}

/** A setting that makes it cheaper, and what it would save. */
export interface CostLever {
  name: string;
  /** As it is written in `tandem.config.ts`: `aws.architecture: 'ARM64'`. */
  setting: string;
  isUsed: boolean;
  /** Per month; for one that is used already, what it saves now. */
  saves: number;
  /** What one gives up. */
  price: string;
}

export interface CostReport {
  estimate: CostEstimate;
  levers: CostLever[];
}

export interface CostChange {
  currency: 'USD';
  before: number;
  after: number;
  /** Resources whose cost changes, the greatest change first. */
  resources: { resource: string; region: string; before: number; after: number }[];
  notCovered: CostEstimate['notCovered'];
}
