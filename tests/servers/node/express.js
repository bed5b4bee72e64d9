// Express as a console under test: routers and static folders, mounted the way its guide mounts them.
//   node express.js PORT ROOT
const path = require("node:path");
const express = require("express");

const [port, root] = process.argv.slice(2);
const app = express();
app.disable("x-powered-by");

/** Says which area answered, and by what name it knows the request. */
const says = (area) => (request, response) =>
  response.type("text").send(`area=${area} resource=${request.baseUrl}|${encodeURI(request.path)}\n`);

const files = (area) => express.static(path.join(root, area), { extensions: ["html"] });

const admin = express.Router();
admin.get("/secret", says("admin"));
admin.get("/users/:name", says("admin"));
admin.use(files("admin"));
app.use("/admin", admin);
app.get("/app", says("app"));
app.get("/app/*rest", says("app"));
app.use("/public", files("public"));
app.use("/static", files("static"));
app.get("/report", says("report"));
app.use(express.static(path.join(root, "rest")));

app.use((request, response) => response.status(404).type("text").send("nothing here\n"));
app.use((error, request, response, next) => response.status(error.status || 500).type("text").send("refused\n"));

app.listen(Number(port), "127.0.0.1");
