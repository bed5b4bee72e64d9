-- The rules about who there may be, as `Structure::judge` has them, counted and held inside the step. Roles are hashes.
local function seat_of(account) return account and {role = account.role_hash, in_use = in_use(account)} end
-- How many of the touched accounts are meant before and after.
local function tally(moves, meant)
  local before, after = 0, 0
  for _, move in ipairs(moves) do
    if move.from and meant(move.from) then before = before + 1 end
    if move.to and meant(move.to) then after = after + 1 end
  end
  return before, after
end
-- How many of these roles the step does not touch.
local function others(moves, index, roles)
  local found = 0
  for _, role in ipairs(roles) do
    found = found + redis.call('ZCARD', key(index, role))
    for _, move in ipairs(moves) do
      if redis.call('ZSCORE', key(index, role), move.id) then found = found - 1 end
    end
  end
  return found
end
local function is_one_of(roles)
  local known = {}
  for _, role in ipairs(roles) do known[role] = true end
  return function(place) return known[place.role] end
end
local function enters(moves, role)
  for _, move in ipairs(moves) do
    if move.to and move.to.role == role and not (move.from and move.from.role == role) then return true end
  end
  return false
end
-- `nil` where the step may be; else the answer that refuses it, with the number of the rule, from 0. Each move: the id, the
-- account before and after, absent where there is none.
local function judge(text, moves)
  local rules = cjson.decode(text)
  if rules.acting then
    local actor = table_of(redis.call('HGETALL', key('account', rules.acting.id)))
    if actor.version ~= rules.acting.version or not in_use(actor) then return {'actor_changed'} end
  end
  for _, move in ipairs(moves) do move.from, move.to = seat_of(move.before), seat_of(move.after) end
  for i, rule in ipairs(rules.seats) do
    local before, after = tally(moves, is_one_of(rule.roles))
    if after > before then
      local beside = others(moves, 'of_role', rule.roles)
      if beside + after > rule.at_most then return {'seats_full', int(i - 1), int(beside + before)} end
    end
  end
  for i, role in ipairs(rules.one) do
    local before, after = tally(moves, is_one_of({role}))
    if enters(moves, role) and not (after <= before and after <= 1)
      and others(moves, 'of_role', {role}) + after > 1 then
      return {'held_by_one', int(i - 1)}
    end
  end
  for i, rule in ipairs(rules.keep) do
    local before, after = tally(moves, function(place) return place.in_use and place.role == rule.role end)
    if after < before and others(moves, 'in_use', {rule.role}) + after < rule.at_least then
      return {'last_of_role', int(i - 1)}
    end
  end
  return nil
end
