-- The ten nights with the most passengers on board.
select
    service_date,
    sum(berths) as berths

from {{ ref('fct_bookings') }}
where is_travelled
group by service_date
order by berths desc, service_date
limit 10
