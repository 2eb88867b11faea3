select first_name, has_subscription
from subscribers
order by id
limit :limit
