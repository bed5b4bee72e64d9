-- id.
local function work()
  if drop_letter(args[1]) then return {'ok', '1'} else return {'ok', '0'} end
end
