module Shout
  def self.out(text) = text.upcase
end
