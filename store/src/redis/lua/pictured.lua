-- Accounts. Those that have a picture, each with its tag.
local function work()
  local found = {'ok'}
  for _, account in ipairs(args) do
    local tag = redis.call('HGET', key('picture', account), 'tag')
    if tag then found[#found + 1] = {'account', account, 'tag', tag} end
  end
  return found
end
