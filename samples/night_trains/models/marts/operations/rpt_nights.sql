with days as (

    select * from {{ ref('calendar', 'calendar_days') }}

),

departures as (

    select * from {{ ref('fct_departures') }}

),

final as (

    select
        days.date_day as night_date,
        days.is_weekend,
        days.season,
        count(departures.departure_id) as departures,
        count(departures.departure_id) filter (where departures.is_on_time) as on_time_departures,
        coalesce(max(departures.delay_minutes), 0) as longest_delay_minutes

    from days
    left join departures
        on days.date_day = departures.service_date
    group by days.date_day, days.is_weekend, days.season

)

select * from final
