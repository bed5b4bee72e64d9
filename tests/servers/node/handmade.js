// A console that somebody wrote by hand on node:http: the address by URL, the file by path.join.
//   node handmade.js PORT ROOT
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");

const [port, root] = process.argv.slice(2);

function answer(request, response) {
  let file;
  try {
    const { pathname } = new URL(request.url, "http://console");
    file = path.join(root, decodeURIComponent(pathname));
    if (fs.statSync(file).isDirectory()) file = path.join(file, "index.html");
    const text = fs.readFileSync(file);
    response.writeHead(200, { "Content-Length": text.length }).end(text);
  } catch (error) {
    const known = ["ENOENT", "ENOTDIR", "ENAMETOOLONG"].includes(error.code);
    response.writeHead(known ? 404 : 400, { "Content-Length": 0 }).end();
  }
}

http.createServer(answer).listen(Number(port), "127.0.0.1");
