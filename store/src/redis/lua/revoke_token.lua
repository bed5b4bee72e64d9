-- name.
local function work()
  if drop_token(args[1]) then return {'ok', '1'} else return {'ok', '0'} end
end
