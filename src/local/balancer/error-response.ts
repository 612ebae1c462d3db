/** ALB's own answers, as it words them. */
const REASONS: Record<number, string> = {
  400: 'Bad Request',
  408: 'Request Time-out',
  413: 'Request Entity Too Large',
  417: 'Expectation Failed',
  463: 'Too Many X-Forwarded-For Addresses',
  502: 'Bad Gateway',
  503: 'Service Temporarily Unavailable',
  504: 'Gateway Time-out',
};

/** An answer in a target's stead. To HEAD it has no body but the same fields (RFC 9110 section 9.3.2). */
export function errorResponse(status: number, connection: 'close' | 'keep-alive', isHead: boolean): Buffer {
  const title = `${status} ${REASONS[status] ?? 'Error'}`;
  const body = `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n</body>\r\n</html>\r\n`;
  const head =
    `HTTP/1.1 ${title}\r\nServer: tandem\r\nContent-Type: text/html\r\n` +
    `Content-Length: ${body.length}\r\nConnection: ${connection}\r\n\r\n`;
  return Buffer.from(isHead ? head : head + body, 'latin1');
}
