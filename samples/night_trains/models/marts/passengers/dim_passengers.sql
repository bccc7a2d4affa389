with passengers as (

    select * from {{ ref('stg_booking__passengers') }}

),

nights as (

    select * from {{ ref('int_nights_by_passenger') }}

),

final as (

    select
        passengers.passenger_id,
        passengers.full_name,
        passengers.home_city,
        passengers.joined_date,
        coalesce(nights.nights, 0) as nights,
        coalesce(nights.lines_seen, 0) as lines_seen,
        coalesce(nights.distance_km, 0) as distance_km,
        nights.last_night_date,
        case
            when nights.nights >= 15 then 'owl'
            when nights.nights >= 5 then 'dreamer'
            when nights.nights >= 1 then 'dozer'
            else 'awake'
        end as club_tier

    from passengers
    left join nights
        on passengers.passenger_id = nights.passenger_id

)

select * from final
