-- Names after this one, at most so many; each with id and folded display name, for the search.
local function work()
  local after = '-'
  if args[1] ~= '' then after = '(' .. args[1] end
  local found = {'ok'}
  for _, name in ipairs(redis.call('ZRANGEBYLEX', key('names_in_order'), after, '+', 'LIMIT', 0, args[2])) do
    local id = redis.call('HGET', key('names'), name) or ''
    found[#found + 1] = {name, id, redis.call('HGET', key('account', id), 'display_folded') or ''}
  end
  return found
end
