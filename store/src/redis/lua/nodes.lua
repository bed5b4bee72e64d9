-- Every node: id, up to which change it has heard, for how many milliseconds others wait for it yet, what it says of itself.
local function work()
  local now, found = milliseconds(), {'ok'}
  for _, node in ipairs(nodes()) do
    found[#found + 1] = {'id', node.id, 'heard', int(node.heard), 'ends_in', int(node.ends - now), 'says', node.says}
  end
  return found
end
