-- Nobody can lie in two trains in the same night.
select
    passenger_id,
    service_date,
    count(*) as departures

from {{ ref('fct_bookings') }}
where is_travelled
group by passenger_id, service_date
having count(*) > 1
