-- The ids of those to read; what is gone is left out.
local function work()
  local found = {'ok'}
  for _, id in ipairs(args) do
    local fields = redis.call('HGETALL', key('session', id))
    if #fields > 0 then
      fields[#fields + 1], fields[#fields + 2] = 'id', id
      found[#found + 1] = fields
    end
  end
  return found
end
