/** What Lambda tells a function about its run; the part that is used. */
export interface LambdaContext {
  getRemainingTimeInMillis(): number;
}

/** A batch from a queue. */
export interface SqsEvent {
  Records: readonly {
    messageId: string;
    receiptHandle: string;
    body: string;
    attributes: Readonly<Record<string, string>>;
  }[];
}

/** Messages that go back to the queue; with it, all others are done. */
export interface SqsBatchResponse {
  batchItemFailures: { itemIdentifier: string }[];
}
