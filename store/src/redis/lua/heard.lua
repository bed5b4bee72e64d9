-- Up to which change every node has heard that others wait for; empty where there is none.
local function work()
  local now, least = milliseconds(), nil
  for _, node in ipairs(nodes()) do
    if node.ends > now and (not least or node.heard < least) then least = node.heard end
  end
  return {'ok', least and int(least) or ''}
end
