// A console that believes the assertion and nothing else. Arguments: port, address of the keys, seconds between fetches.

import { createServer } from "node:http";
import { verifier } from "./stagedoor_assertion.mjs";

const [port, keysUrl, fetchSecondsMin] = process.argv.slice(2);
const caller = verifier(keysUrl, { site: "console", issuer: "Stagedoor", fetchSecondsMin: Number(fetchSecondsMin) });

createServer(async (request, response) => {
  const answer = (status, body) => {
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
  };
  if (request.url === "/ready") return answer(200, {});
  try {
    answer(200, { caller: await caller(request), assertion: request.headers["x-stagedoor-assertion"] });
  } catch (error) {
    answer(401, { refused: String(error) });
  }
}).listen(Number(port), "127.0.0.1");
