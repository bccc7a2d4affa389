select * from {{ ref('orders_snapshot') }} join {{ ref('orders_yaml') }} using (id)
