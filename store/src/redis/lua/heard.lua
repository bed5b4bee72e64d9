-- Every node: id, up to which change it has heard, and what changes with each of its beats.
local function work()
  local found = {}
  for _, node in ipairs(nodes()) do
    found[#found + 1] = node.id
    found[#found + 1] = int(node.heard)
    found[#found + 1] = int(node.ends)
  end
  return {'ok', found}
end
